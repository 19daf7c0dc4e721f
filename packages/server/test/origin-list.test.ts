import { expect, test } from 'vitest'
import { parseOrigins } from '../src/authentication/origin-list.ts'
import { serve } from './serve.ts'

test.each([
  ['https://app.example', 'https://app.example'],
  ['http://localhost:5173', 'http://localhost:5173'],
  ['HTTPS://App.Example', 'https://app.example'],
  ['https://app.example:443', 'https://app.example'],
  ['http://app.example:80', 'http://app.example'],
  ['https://app.example:8443', 'https://app.example:8443'],
  ['https://app.example.', 'https://app.example'],
  ['https://app.example.:8443', 'https://app.example:8443'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example'],
  ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ['http://[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000'],
  ['https://app_1.example', 'https://app_1.example'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['tauri://localhost', 'tauri://localhost'],
  ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
])('[X1] `origins` takes %s as %s', (entry, normal) => {
  expect(parseOrigins([entry])).toEqual({ all: false, listed: new Set([normal]) })
  expect(parseOrigins(entry)).toEqual({ all: false, listed: new Set([normal]) })
})

test.each([
  ['https://app.example/', "'https://app.example'"],
  ['https://app.example/path', "'https://app.example'"],
  ['https://app.example?query', "'https://app.example'"],
  ['https://app.example#hash', "'https://app.example'"],
  ['https://user:secret@app.example', "'https://app.example'"],
  ['app.example', "'https://app.example'"],
  ['app.example:3000', "'https://app.example:3000'"],
  ['localhost:5173', "'https://localhost:5173'"],
  ['//app.example', 'scheme'],
  ['wss://app.example', "'https://app.example'"],
  ['ws://app.example:3000', "'http://app.example:3000'"],
  ['*.app.example', 'wildcards'],
  ['https://*.app.example', 'wildcards'],
  ['*', 'wildcards'],
  ['null', "'*'"],
  ['', 'scheme'],
  [' https://app.example', 'scheme'],
  ['https://', 'host'],
  ['file://', 'host'],
  ['https://a.example,https://b.example', 'no valid host'],
  ['https://a.example,b.example', 'no valid host'],
  ['https://app.example:99999', 'no valid host'],
  ['data:text/html,hello', 'scheme'],
  [undefined, 'undefined'],
  [/app/, 'not a string'],
])('[X1] `origins` refuses the entry %s with the reason %s', (entry, fix) => {
  const refusal = expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(fix) })
  expect(() => parseOrigins(['https://app.example', entry])).toThrow(refusal)
  if (typeof entry === 'string') {
    expect(() => parseOrigins([entry])).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`'${entry.replace('user:secret@', '')}'`) }),
    )
  }
})

test('[X1] `origins` is a list, one origin or `*`, or absent', () => {
  expect(parseOrigins(undefined)).toEqual({ all: false, listed: new Set() })
  expect(parseOrigins([])).toEqual({ all: false, listed: new Set() })
  expect(parseOrigins('*')).toEqual({ all: true, listed: new Set() })
  for (const value of [null, true, {}, new Set(['https://app.example']), /app/]) {
    expect(() => parseOrigins(value)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  }
})

test('[X1] entries that cannot match, or conflicting cors, throw INVALID_OPTIONS', async () => {
  for (const options of [
    { origins: ['https://app.example/'] },
    { origins: 'app.example' },
    { socketIo: { cors: { origin: 'https://app.example' } } },
    { socketIo: { cors: { origin: true } } },
    { socketIo: { cors: () => {} } },
  ]) {
    await expect(serve(options as object), JSON.stringify(options)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
  }
})
