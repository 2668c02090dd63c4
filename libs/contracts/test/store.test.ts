import { expect, it } from 'vitest'
import { bucketName, proxiesTable, streamName, streams, weightsTable } from '@siplb/contracts'

it.each([
  ['siplb.v1', 'siplb_weights', 'SIPLB_EVENTS'],
  ['siplb.v2', 'siplb_weights', 'SIPLB_EVENTS'],
  ['lab.east.v1', 'lab-east_weights', 'LAB-EAST_EVENTS'],
  ['lab', 'lab_weights', 'LAB_EVENTS'],
])('stores of an installation with the prefix %s are %s and %s', (prefix, bucket, stream) => {
  expect(bucketName(prefix, weightsTable)).toBe(bucket)
  expect(streamName(prefix, streams.events)).toBe(stream)
})

it('names of stores hold only what JetStream takes', () => {
  for (const prefix of ['siplb.v1', 'a-b.c.d.v12']) {
    expect(bucketName(prefix, proxiesTable)).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(streamName(prefix, streams.signals)).toMatch(/^[A-Za-z0-9_-]+$/)
  }
})
