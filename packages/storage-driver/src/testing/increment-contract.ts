import { incremented, type JsonValue } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { freshKey, type UseStore } from './store-under-test.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** S7: every store adds like JavaScript. */
export function incrementContract(use: UseStore): void {
  test('[S7] a sum equals that of JavaScript, to the last digit', async () => {
    const { store, other, get } = use()
    const sums: [number, number][] = [
      ...[
        [2 ** 31, 1],
        [MAX - 1, 1],
        [-MAX + 1, -1],
        [0.1, 0.2],
        [1e-7, 0],
        [2251799813685248.5, 1],
        [1, -1],
        [-1.5, 1.5],
        [5e-324, 5e-324],
      ],
      ...[
        [1e15, 0.3],
        [123456789.123, 1e-9],
        [-0.5, 0.25],
        [0, -0],
        [1 / 3, 1e-17],
        [100, 1e-3],
        [4.35, 100],
        [1e15 - 1, 1],
      ],
    ].map(([value = 0, by = 0]) => [value, by])
    for (const [value, by] of sums) {
      const key = freshKey()
      await store.write({ op: 'set', key, value })
      const sum = incremented(value, by)
      const result = await other.write({ op: 'increment', key, by })
      expect(result.value, `${value} + ${by}`).toBe(sum === 0 ? 0 : sum)
      expect(await store.read([key])).toEqual([{ key, version: result.version, value: result.value }])
      // Other programs continue from the same digits; only the format of an exponent may differ.
      const text = String(result.value)
      if (!text.includes('e')) expect(await get(key)).toBe(text)
    }
  })

  test('[S7] a value that has no sum is refused with NOT_A_NUMBER and unchanged', async () => {
    const { store, other } = use()
    const refused: [JsonValue, number][] = [
      ...([
        ['5', 1],
        [null, 1],
        [true, 1],
        [{}, 1],
        [[1], 1],
        ['', 1],
        ['nan', 1],
      ] satisfies [JsonValue, number][]),
      ...([
        [MAX, 1],
        [-MAX, -1],
        [1e308, 1e308],
        [1e21, 1],
        [2 ** 53, 0],
        [1, 1e300],
      ] satisfies [JsonValue, number][]),
    ]
    for (const [value, by] of refused) {
      const key = freshKey()
      const { version } = await store.write({ op: 'set', key, value })
      await expect(other.write({ op: 'increment', key, by }), JSON.stringify(value)).rejects.toMatchObject({ code: 'NOT_A_NUMBER' })
      expect(await store.read([key])).toEqual([{ key, version, value }])
    }
  })

  test('[S7] [S20] a foreign text is a number exactly if it is a JSON number', async () => {
    const { store, put } = use()
    const texts = ['5', ' 5\n', '-0', '5.50', '5e2', '5E+2', '-5e-2', '0', '0.5', '9007199254740991']
    texts.push(
      '0x10',
      'inf',
      '-inf',
      'nan',
      'NaN',
      'Infinity',
      '',
      ' ',
      '05',
      '-05',
      '+5',
      '5.',
      '.5',
      '5e',
      '5 5',
      '1_0',
      '1e999',
      '0b1',
      '٥',
    )
    for (const text of texts) {
      const key = freshKey()
      await put(key, text)
      const [entry] = await store.read([key])
      const value = entry !== undefined && 'value' in entry ? entry.value : undefined
      const sum = incremented(value, 1)
      const write = store.write({ op: 'increment', key, by: 1 })
      if (sum === undefined) await expect(write, JSON.stringify(text)).rejects.toMatchObject({ code: 'NOT_A_NUMBER' })
      else expect((await write).value, JSON.stringify(text)).toBe(sum)
    }
  })

  test('[S7] an absent key starts at `initial`, or at 0', async () => {
    const { store } = use()
    const [first, second] = [freshKey(), freshKey()]
    expect(await store.write({ op: 'increment', key: first, by: 2 })).toMatchObject({ value: 2 })
    expect(await store.write({ op: 'increment', key: second, by: 2, initial: 10.5 })).toMatchObject({ value: 12.5 })
    expect(await store.write({ op: 'increment', key: second, by: 2, initial: 99 })).toMatchObject({ value: 14.5 })
    await store.write({ op: 'remove', key: second })
    expect(await store.write({ op: 'increment', key: second, by: 1, initial: 1 })).toMatchObject({ value: 2 })
  })

  test('[S7] 2 x 100 concurrent increments result in exactly 200', async () => {
    const { store, other } = use()
    const key = freshKey()
    await Promise.all(Array.from({ length: 200 }, (_, place) => (place % 2 === 0 ? store : other).write({ op: 'increment', key, by: 1 })))
    expect(await store.read([key])).toMatchObject([{ value: 200 }])
  })

  test('[S7] an increment by a value that is not a number is refused', async () => {
    const { store } = use()
    for (const by of [Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(store.write({ op: 'increment', key: freshKey(), by })).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    }
  })
}
