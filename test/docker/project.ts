/** The compose project of the tests: always the same, so that the next run finds what a killed one left. */
export const project = 'siplb-test'
