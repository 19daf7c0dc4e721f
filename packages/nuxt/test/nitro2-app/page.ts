import { defineRenderHandler } from 'nitropack/runtime'
import type { PageReader } from '../../src/runtime/server/page-reader'

/** Replaces the renderer of Nuxt: replies with what the page may read of three keys, or with the reason why not. */
export default defineRenderHandler(async (event) => {
  const tutti: { readerOf(of: typeof event): PageReader } | undefined = event.context['tutti']
  const reader = tutti?.readerOf(event)
  const valueOf = async (key: string): Promise<unknown> => {
    if (reader === undefined) return 'no reader'
    const [entry] = await reader.read([key])
    return entry && 'value' in entry ? entry.value : 'loading'
  }
  const shown = ['open', 'notes:ann', 'notes:ben'].map(async (key) => [key, await valueOf(key).catch(String)])
  return { body: JSON.stringify(Object.fromEntries(await Promise.all(shown))) }
})
