import { expect, test } from 'vitest'
import { summarizeProfile } from '../src/measure/summarize-profile.ts'

const node = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url, lineNumber: 9 } })

test('self-time is summed by package, file and function, without idle time', () => {
  const summary = summarizeProfile({
    nodes: [
      node(1, '(idle)', ''),
      node(2, 'send', 'file:///a/node_modules/.pnpm/ws@8/node_modules/ws/lib/sender.js'),
      node(3, 'write', 'file:///a/packages/server/src/state/state-writer.ts'),
      node(4, '(garbage collector)', ''),
      node(5, 'writev', ''),
      node(6, 'post', 'node:inspector'),
    ],
    samples: [6, 1, 2, 3, 2, 4, 5],
    timeDeltas: [4_000, 10_000, 2_000, 1_000, 3_000, 500, 250],
  })
  expect([summary.totalMs, summary.busyMs]).toEqual([20.75, 6.75])
  expect(summary.packages).toEqual([
    { name: 'ws', ms: 5 },
    { name: 'packages/server', ms: 1 },
    { name: '(garbage collector)', ms: 0.5 },
    { name: '(native)', ms: 0.25 },
  ])
  expect(summary.files[0]).toEqual({ name: 'ws/lib/sender.js', ms: 5 })
  expect(summary.functions.map(({ name }) => name)).toEqual([
    'send  ws/lib/sender.js:10',
    'write  packages/server/src/state/state-writer.ts:10',
    '(garbage collector)',
    'writev',
  ])
})
