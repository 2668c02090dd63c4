// npm 10 leaves node_modules/.bin/node out when two optional packages of which one is skipped bring a program of that name.
// Run by npm after an install, by whatever Node the machine has.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'

const own = `node-${process.platform}-${process.arch}`
if (existsSync(`node_modules/${own}/bin/node`) && !existsSync('node_modules/.bin/node')) {
  mkdirSync('node_modules/.bin', { recursive: true })
  symlinkSync(`../${own}/bin/node`, 'node_modules/.bin/node')
}
