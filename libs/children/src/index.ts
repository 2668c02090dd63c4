export { startChild, type Child, type ChildOptions, type Exit } from './child.ts'
export { startNode } from './node.ts'
