export { startChild, type Child, type ChildOptions, type Exit } from './child.ts'
export { flagsFor, startNode } from './node.ts'
