import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const adr = readdirSync(join(root, 'docs', 'adr')).map((name) => `docs/adr/${name}`)
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))

it.each(['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`), ...adr])(
  '%s names only files that exist',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => join(dirname(page), path))
    // In code, as from the root: `libs/sip/src/message/scan.ts`.
    const paths = [...text.matchAll(/`([\w.-]+\/[\w./-]+\.(?:ts|mjs|yaml|md))`/g)].map(([, path = '']) => path)
    expect([...links, ...paths].filter((path) => !existsSync(join(root, path)))).toEqual([])
  },
)
