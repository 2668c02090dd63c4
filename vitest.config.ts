import { defineConfig } from 'vitest/config'

const anywhere = (kind: string) =>
  ['libs', 'services', 'cli', 'start', 'test', 'examples', 'sim'].map((d) => `${d}/**/*.${kind}.ts`)

// Processes in real time: a machine that stands still for half a second fails what they do. The report names who needed a second try.
const realTime = { retry: 1 }
const peers = { ...realTime, testTimeout: 120_000, hookTimeout: 60_000 }
/** These see how fast others answer, and want the machine for themselves. */
const measuring = ['test/peers/overload.peers.test.ts', 'test/peers/shares.peers.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: anywhere('test'),
          exclude: ['**/node_modules/**', '**/*.{int,e2e,docker,peers,control}.test.ts'],
        },
      },
      // They wait for sockets and processes more than they work.
      { test: { name: 'int', include: anywhere('int.test'), ...realTime, testTimeout: 15_000, maxWorkers: 3 } },
      {
        test: {
          name: 'e2e',
          include: anywhere('e2e.test'),
          testTimeout: 60_000,
          hookTimeout: 30_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'peers',
          include: anywhere('peers.test'),
          exclude: ['**/node_modules/**', ...measuring],
          ...peers,
          // They wait more than they work, each at ports of its own.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'peers-alone',
          include: measuring,
          ...peers,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'control',
          include: anywhere('control.test'),
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'docker',
          include: anywhere('docker.test'),
          globalSetup: ['test/docker/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
