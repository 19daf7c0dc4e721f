import { createRealtimeClient } from '@tutti/client'
import { document } from '@tutti/documents/client'
import { startTcpProxy } from '@tutti/test-kit'
import { until } from './bench-document.ts'
import type { DocumentLoad, DocumentLoadContext } from './document-load.ts'
import { growText } from './large-text.ts'
import { connectTuttiDocument } from './tutti-document.ts'

/** A document behind a slow link. */
export interface SlowLinkPlan {
  characters: number
  pasted: number
  bytesPerSecond: number
}

export const SLOW_LINK_FIGURES = ['openMs', 'pasteMs', 'slowestOtherMs', 'reconnects'] as const

/** Fills the document, and connects a client through the link. */
export async function createSlowLinkLoad(
  { urls }: DocumentLoadContext,
  { characters, pasted, bytesPerSecond }: SlowLinkPlan,
): Promise<DocumentLoad> {
  const id = 'bench:slow'
  const [url = ''] = urls
  const author = await connectTuttiDocument(url, id)
  for (let length = Math.min(1_000_000, characters); author.text.length < characters; length += 1_000_000) {
    growText(author.text, Math.min(length, characters))
    await until(author.isSynced)
  }
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  proxy.limit(bytesPerSecond)
  const client = createRealtimeClient({ url: `http://127.0.0.1:${proxy.port}`, transports: ['websocket'] })
  const other = client.state<number>('bench:other')

  /** How long it takes until something holds; sends other messages meanwhile. */
  const timed = async (isDone: () => boolean, replies: number[]): Promise<number> => {
    const startMs = performance.now()
    while (!isDone()) {
      const sentMs = performance.now()
      await other.set(sentMs)
      replies.push(performance.now() - sentMs)
    }
    return performance.now() - startMs
  }
  return {
    steps: {
      run: async () => {
        const replies: number[] = []
        const open = document(client, id)
        const openMs = await timed(() => !open.current.loading, replies)
        open.text.insert(0, 'x'.repeat(pasted))
        const pasteMs = await timed(() => open.current.synced, replies)
        return { openMs, pasteMs, slowestOtherMs: Math.max(...replies), reconnects: proxy.connections.length - 1 }
      },
    },
    close: () => {
      author.close()
      void client.close()
      void proxy.close()
    },
  }
}
