import { createServer } from 'node:http'
import { reactiveDriver } from '@tutti/storage-driver'
import { Server } from 'socket.io'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, test } from 'vitest'
import { attachRealtime } from '../src/http/node/index.ts'
import { createRealtimeServer } from '../src/index.ts'

const state = () => reactiveDriver(memoryDriver())

const create = (options: object) => createRealtimeServer({ io: new Server(), state: state(), ...options })
const attach = (options: object) => attachRealtime(createServer(), { state: state(), ...options })

const RENAMED = [
  ['origin', 'origins'],
  ['auditIntervalMs', 'reconcileIntervalMs'],
  ['maxSubscriptions', 'limits.maxSubscriptions'],
  ['maxKeysPerMessage', 'limits.maxKeysPerMessage'],
  ['mutationsPerSecond', 'limits.mutationsPerSecond'],
  ['eventsPerSecond', 'limits.eventsPerSecond'],
  ['requestsPerSecond', 'limits.requestsPerSecond'],
  ['maxRequestsUnderWay', 'limits.maxRequestsInFlight'],
  ['maxConnectionsPerAddress', 'limits.maxConnectionsPerAddress'],
  ['connectsPerSecondPerAddress', 'limits.connectsPerSecondPerAddress'],
  ['maxBacklogPackets', 'backpressure.maxUnsentPackets'],
  ['maxBacklogBytes', 'backpressure.maxUnsentBytes'],
  ['drainMs', 'shutdown.drainMs'],
  ['reconnectAfterMs', 'shutdown.reconnectAfterMs'],
] as const

const refusal = (message: string) => expect.objectContaining({ code: 'INVALID_OPTIONS', message })

test.each(RENAMED)('[X9] the refusal of the former option %s names %s', (former, current) => {
  expect(() => create({ [former]: 1 })).toThrow(refusal(`createRealtimeServer: unknown option \`${former}\`, use \`${current}\`.`))
  expect(() => attach({ [former]: 1 })).toThrow(refusal(`attachRealtime: unknown option \`${former}\`, use \`${current}\`.`))
})

test('[X9] a former option maxPayloadBytes is refused naming its current name', () => {
  expect(() => attach({ maxPayloadBytes: 1 })).toThrow(
    refusal('attachRealtime: unknown option `maxPayloadBytes`, use `limits.maxPayloadBytes`.'),
  )
  expect(() => create({ maxPayloadBytes: 1 })).toThrow(refusal('createRealtimeServer: unknown option `maxPayloadBytes`.'))
})

describe('groups', () => {
  test('[X9] a refusal names the group and the option', () => {
    expect(() => create({ limits: { mutationsPerSecond: 0 } })).toThrow(
      refusal('createRealtimeServer, `limits`: `mutationsPerSecond` must be a whole number from 1 to 2147483647, not 0.'),
    )
    expect(() => attach({ shutdown: { drainsMs: 1 } })).toThrow(refusal('attachRealtime, `shutdown`: unknown option `drainsMs`.'))
    expect(() => create({ backpressure: [] })).toThrow(
      refusal('createRealtimeServer: `backpressure` must be an object, not of type object.'),
    )
    expect(() => create({ limits: { maxPayloadBytes: 1 } })).toThrow(
      refusal('createRealtimeServer, `limits`: unknown option `maxPayloadBytes`.'),
    )
  })

  test('[X9] undefined means "not given", for a group as for each of its options', async () => {
    const limits = { maxSubscriptions: undefined }
    for (const options of [{ limits: undefined }, { limits }, { shutdown: { drainMs: undefined }, backpressure: undefined }]) {
      await expect(create({ ...options, onWarning: () => {} }).close()).resolves.toBeUndefined()
    }
  })
})
