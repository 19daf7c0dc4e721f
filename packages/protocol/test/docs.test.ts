import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { DEFAULT_LIMITS, ERROR_CODES, PROTOCOL_HISTORY, PROTOCOL_VERSION, type NoticeName, type RequestName } from '../src/index.ts'
import { isRetryable } from '../src/internal.ts'
import { parseMessage, type MessageSchema } from '../src/schemas/index.ts'
import { noticeSchemas, resultSchemas, wireErrorSchema } from './answer-schemas.ts'
import { requestSchemas } from './request-schemas.ts'

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

/** The first cells of the table's rows that are code, for example `storage:get`, by the content of the next cell. */
const rows = new Map([...page.matchAll(/^\| `?([\w:]+)`? \| ([^|]*) \|/gm)].map(([, name, next]) => [name, next]))

const isRequest = (name: string): name is RequestName => name in requestSchemas
const isNotice = (name: string): name is NoticeName => name in noticeSchemas
const schemaOf = (name: RequestName): MessageSchema<unknown> => requestSchemas[name]

test.each([...Object.keys(requestSchemas), ...Object.keys(noticeSchemas)])('[docs] the protocol page has a row for %s', (name) => {
  expect(rows.has(name)).toBe(true)
})

test.each(ERROR_CODES)('[docs] the protocol page states whether %s is retryable', (code) => {
  expect(rows.get(code)).toBe(isRetryable(code) ? 'yes' : 'no')
})

test('[docs] the protocol page lists versions and limits', () => {
  expect(page).toContain(`# The wire, protocol ${PROTOCOL_VERSION}`)
  for (const [version, brought] of Object.entries(PROTOCOL_HISTORY)) expect(rows.get(version)).toBe(brought)
  for (const limit of Object.keys(DEFAULT_LIMITS)) expect(page).toContain(limit)
})

test('[docs] every line of the sample session is valid protocol', () => {
  const asked = new Map<string, RequestName>()
  const lines = [...page.matchAll(/^(A|B) ([→←]) (\S+) +(\{.*\})$/gm)]
  expect(lines.length).toBeGreaterThan(20)
  for (const [, who = '', direction, name = '', json = ''] of lines) {
    const payload: unknown = JSON.parse(json)
    if (direction === '→' && isRequest(name)) {
      asked.set(who, name)
      // The refused key is part of the documented session.
      if (!json.includes('a/b')) expect(parseMessage(schemaOf(name), payload)).toStrictEqual(payload)
    } else if (isNotice(name)) {
      expect(v.is(noticeSchemas[name], payload)).toBe(true)
    } else {
      expect(name).toBe('reply')
      const { ok, error, ...result } = v.parse(v.looseObject({ ok: v.boolean(), error: v.optional(wireErrorSchema) }), payload)
      const question = asked.get(who)
      expect(question).toBeDefined()
      if (ok && question !== undefined) expect(v.is(resultSchemas[question], result)).toBe(true)
      else expect(error).toBeDefined()
    }
  }
})
