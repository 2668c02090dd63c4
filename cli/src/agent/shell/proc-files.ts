import { readdirSync, readFileSync } from 'node:fs'

/** Empty for a file that is not there, or not there any more: processes end while they are looked at. */
export function textOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The folders of /proc that are numbers: processes, or of one the threads. */
export function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
