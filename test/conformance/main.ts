import { writeFile } from 'node:fs/promises'
import { measureAll } from './columns.ts'
import { kamailioVersion } from './elements.ts'
import { pageOf } from './page.ts'

const page = new URL('../../docs/conformance.md', import.meta.url)

await writeFile(page, pageOf(await measureAll(), await kamailioVersion()))
