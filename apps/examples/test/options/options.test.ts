import { inspect } from 'node:util'
import type { PublishOptions, RealtimeClientOptions, StateOptions } from '@tutti/client'
import type { CollectionOptions } from '@tutti/client/collection'
import type { OfflineQueueOptions } from '@tutti/client/offline-queue'
import type { PresenceOptions as ClientPresenceOptions } from '@tutti/client/presence'
import { RealtimeError, type RealtimeSchema } from '@tutti/protocol'
import type { MemoryPubSubOptions, RealtimePubSubOptions } from '@tutti/pubsub'
import type { ActAsOptions, PresenceOptions, RealtimeServerOptions, SubscriptionOptions } from '@tutti/server'
import type { AttachRealtimeOptions } from '@tutti/server/node'
import type { ReactiveDriverOptions, ReactiveRedisDriverOptions, WriteOptions } from '@tutti/storage-driver'
import type { ExistingClientOptions, PageOptions, UseRealtimeEventsOptions, UseRealtimeStateOptions } from '@tutti/vue'
import type { UseRealtimeCollectionOptions } from '@tutti/vue/collection'
import type { UseRealtimeCursorsOptions, UseRealtimePresenceOptions } from '@tutti/vue/presence'
import { expect, expectTypeOf, test, vi } from 'vitest'
import { badValues, unknownNames } from './kinds.ts'
import { owners, type Owner } from './owners.ts'

const SEED = 20_260
const BAD_VALUES = 30
const UNKNOWN_NAMES = 20

/** The outcome: '' if it was created, the code and message of a refusal, or any other error. */
async function outcomeOf(making: Promise<void>): Promise<string> {
  try {
    await making
    return ''
  } catch (error) {
    return error instanceof RealtimeError ? `${error.code}: ${error.message}` : inspect(error).split('\n', 1).join('')
  }
}

const isRefusal = (outcome: string, named: string): boolean => outcome.startsWith('INVALID_OPTIONS: ') && outcome.includes(named)

const count = { owners: owners.length, options: owners.flatMap(({ kinds }) => Object.keys(kinds)).length, cases: 0 }

/** Runs a case for each of the owners' options, and returns those that failed. */
async function failuresOf(cases: (owner: Owner) => AsyncIterable<string | undefined>): Promise<string[]> {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const failures: string[] = []
  for (const owner of owners) {
    for await (const failure of cases(owner)) {
      count.cases += 1
      if (failure !== undefined) failures.push(`${owner.name}: ${failure}`)
    }
  }
  warn.mockRestore()
  if (process.env['TUTTI_PRINT_OPTIONS'] !== undefined) console.log({ ...count, failures: failures.length })
  return failures
}

test('[X9] undefined means "not given", for every option of every package', async () => {
  const failures = await failuresOf(async function* ({ kinds, required, make }) {
    for (const name of Object.keys(kinds)) {
      const outcome = await outcomeOf(make({ [name]: undefined }))
      const isRight = required.includes(name) ? isRefusal(outcome, `\`${name}\``) : outcome === ''
      yield isRight ? undefined : `${name} undefined: ${outcome}`
    }
  })
  expect(failures).toEqual([])
})

test('[X9] a valid value is accepted', async () => {
  const failures = await failuresOf(async function* ({ kinds, make }) {
    for (const [name, { good }] of Object.entries(kinds)) {
      for (const value of good) {
        const outcome = await outcomeOf(make({ [name]: value }))
        yield outcome === '' ? undefined : `${name} ${inspect(value)}: ${outcome}`
      }
    }
  })
  expect(failures).toEqual([])
})

test('[X9] an invalid value is INVALID_OPTIONS at once, with the name of the option', async () => {
  const failures = await failuresOf(async function* ({ kinds, make }) {
    for (const [name, kind] of Object.entries(kinds)) {
      for (const value of badValues(kind, BAD_VALUES, SEED)) {
        const outcome = await outcomeOf(make({ [name]: value }))
        yield isRefusal(outcome, `\`${name}`) ? undefined : `${name} ${inspect(value, { depth: 0 })}: ${outcome || 'accepted'}`
      }
    }
  })
  expect(failures).toEqual([])
})

test('[X9] an unknown option is INVALID_OPTIONS at once', async () => {
  const failures = await failuresOf(async function* ({ kinds, make }) {
    for (const name of unknownNames(Object.keys(kinds), UNKNOWN_NAMES, SEED)) {
      const outcome = await outcomeOf(make({ [name]: 1 }))
      yield isRefusal(outcome, `\`${name}\``) ? undefined : `${inspect(name)}: ${outcome || 'accepted'}`
    }
  })
  expect(failures).toEqual([])
})

test('[X9] another value in place of the options is INVALID_OPTIONS at once', async () => {
  const failures = await failuresOf(async function* ({ makeOf }) {
    for (const options of [null, 5, 'text', true, [], 1n]) {
      const outcome = await outcomeOf(makeOf(options))
      yield isRefusal(outcome, '') ? undefined : `${inspect(options)}: ${outcome || 'accepted'}`
    }
  })
  expect(failures).toEqual([])
})

/** The options that a type with `exactOptionalPropertyTypes` does not let be `undefined`. */
type Refusing<Options> = { [Name in keyof Options]-?: Record<Name, undefined> extends Pick<Options, Name> ? never : Name }[keyof Options]

test('[X9] types accept undefined for every optional option', () => {
  expectTypeOf<Refusing<RealtimePubSubOptions & MemoryPubSubOptions>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<ReactiveDriverOptions & WriteOptions>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<ReactiveRedisDriverOptions>>().toEqualTypeOf<'pubsub'>()
  expectTypeOf<Refusing<RealtimeServerOptions>>().toEqualTypeOf<'io' | 'state'>()
  expectTypeOf<Refusing<AttachRealtimeOptions>>().toEqualTypeOf<'state'>()
  expectTypeOf<Refusing<PresenceOptions & ClientPresenceOptions<unknown>>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<ActAsOptions & SubscriptionOptions & RealtimeSchema>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<RealtimeClientOptions & StateOptions<string> & PublishOptions>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<CollectionOptions & OfflineQueueOptions>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<ExistingClientOptions>>().toEqualTypeOf<'client'>()
  expectTypeOf<Refusing<PageOptions>>().toEqualTypeOf<'read'>()
  expectTypeOf<Refusing<UseRealtimePresenceOptions<unknown> & UseRealtimeCursorsOptions>>().toEqualTypeOf<never>()
  expectTypeOf<Refusing<UseRealtimeStateOptions & UseRealtimeCollectionOptions & UseRealtimeEventsOptions>>().toEqualTypeOf<never>()
})
