import { expect, test } from 'vitest'
import { keyOfMessage, parseWatchMessage } from '../src/redis/watch-message.ts'

const message = { origin: 'o', event: 'update', key: 'a', version: 2 }

test('[N8] a message is parsed to its change', () => {
  const parse = (fields: object) => parseWatchMessage(JSON.stringify({ ...message, ...fields }))
  expect(parse({ value: null, expiresAt: 5, writer: 'w' })).toStrictEqual({ key: 'a', version: 2, value: null, writer: 'w', expiresAt: 5 })
  expect(parse({ base: 0, patch: { a: null } })).toStrictEqual({ key: 'a', version: 2, base: 0, patch: { a: null } })
  expect(parse({})).toStrictEqual({ key: 'a', version: 2 })
  // Values that no client could have written must be read from the store.
  const deep: unknown = JSON.parse('['.repeat(65) + ']'.repeat(65))
  expect(parse({ value: deep })).toStrictEqual({ key: 'a', version: 2 })
  expect(parse({ base: 1, patch: { deep } })).toStrictEqual({ key: 'a', version: 2 })
  expect(parse({ event: 'remove', value: 1, expiresAt: 5 })).toStrictEqual({ key: 'a', version: 2, removed: true })
  // An invalid lifetime or writer is ignored, because the change itself is valid.
  expect(parse({ writer: 5, expiresAt: 'soon' })).toStrictEqual({ key: 'a', version: 2 })
})

test('[N4] an invalid change is refused with INVALID_MESSAGE', () => {
  const refused = { code: 'INVALID_MESSAGE' }
  for (const text of ['', '{', 'null', '[]', '5']) expect(() => parseWatchMessage(text), text).toThrow(expect.objectContaining(refused))
  const wrong = [
    ...[{ event: 'other' }, { event: undefined }, { key: 'a/b' }, { key: undefined }, { version: -1 }, { version: 1.5 }, { version: '1' }],
    ...[{ patch: { a: 1 } }, { patch: { a: 1 }, base: -1 }, { patch: 5, base: 1 }, { patch: null, base: 1 }],
  ]
  for (const fields of wrong) {
    const text = JSON.stringify({ ...message, ...fields })
    expect(() => parseWatchMessage(text), text).toThrow(expect.objectContaining(refused))
  }
})

test('[S5] the key is read from the beginning of a message if that is certain', () => {
  const text = (fields: object): string => JSON.stringify({ ...message, value: 1, ...fields })
  expect(keyOfMessage(text({}))).toBe('a')
  expect(keyOfMessage(text({ event: 'remove', key: 'todos:ü 1' }))).toBe('todos:ü 1')
  // Everything else is parsed: other writers, escaped keys, and invalid changes.
  const parsed = [{ key: 'a"b' }, { key: 'a/b' }, { key: '' }, { key: 1 }, { event: 'other' }, { origin: 'a"b' }].map(text)
  const beginning = '{"origin":"o","event":"update","key":"a",'
  for (const other of [...parsed, JSON.stringify({ key: 'b', event: 'update', origin: 'o', version: 2 }), ` ${text({})}`, beginning, '']) {
    expect(keyOfMessage(other), other).toBe(undefined)
  }
})

test("[N8] a message in the layout of the scripts includes its value's JSON text", () => {
  const values = [null, 5, -1.5, 'ü"', '', [], { a: [1, { b: null }] }, 'x'.repeat(5_000), Array.from({ length: 50 }, () => ({ a: 1 }))]
  const changes = [
    ...values.flatMap((value) => [{ value }, { expiresAt: 5, value }, { base: 1, patch: { value } }]),
    {},
    { expiresAt: 7 },
    { base: 3, patch: 5 },
    { value: 1, other: 2 },
  ]
  for (const event of ['update', 'remove']) {
    for (const writer of [undefined, 'w', 'w"1']) {
      for (const fields of changes) {
        const fixed = { origin: 'o', event, key: 'a', writer, version: 2, ...fields }
        const parse = (message: object): unknown => {
          try {
            const { valueJson, entryJson, ...change } = parseWatchMessage(JSON.stringify(message))
            const { key, version, value } = change
            const texts = valueJson === undefined ? [] : [JSON.stringify(value), JSON.stringify({ key, version, value })]
            expect([valueJson, entryJson].filter((json) => json !== undefined)).toEqual(texts)
            return change
          } catch (error) {
            return error instanceof Error && error.message
          }
        }
        expect(parse(fixed), JSON.stringify(fixed)).toEqual(parse({ ...fields, version: 2, writer, key: 'a', event, origin: 'o' }))
      }
    }
  }
  const own = '{"origin":"o","event":"update","key":"a","version":2,"value":'
  expect(parseWatchMessage(`${own}{"a": 1}}`)).toStrictEqual({
    ...{ key: 'a', version: 2, value: { a: 1 } },
    ...{ valueJson: '{"a": 1}', entryJson: '{"key":"a","version":2,"value":{"a": 1}}' },
  })
  // In this layout too, values that no client could have written are omitted and invalid JSON is refused.
  for (const json of ['1e999', `${'['.repeat(65)}${']'.repeat(65)}`]) {
    expect(parseWatchMessage(`${own}${json}}`)).toStrictEqual({ key: 'a', version: 2 })
  }
  for (const json of ['', '{', '1,', '1]', 'x']) {
    expect(() => parseWatchMessage(`${own}${json}}`), json).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }))
  }
})
