// @vitest-environment happy-dom
import { document as openDocument } from '@tutti/documents/client'
import { createDocumentStorage } from '@tutti/documents/offline'
import { createDocuments } from '@tutti/documents/server'
import { eventually } from '@tutti/test-kit'
import { createRealtime } from '@tutti/vue'
import { useRealtimeDocument } from '@tutti/vue/documents'
import { expect, test } from 'vitest'
import { createSSRApp, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { memoryDocuments } from './memory-documents.ts'
import { mount, serve } from './serve.ts'

test('[D1] a component edits a document, follows a changed id, and ends with its scope', async () => {
  const { url, connect, of } = await serve({ documents: createDocuments({ store: memoryDocuments(), storeIntervalMs: 20 }) })
  const client = connect()
  const [first, second] = [openDocument(client, 'notes:1'), openDocument(client, 'notes:2')]
  const id = ref('notes:1')
  const { result, element, unmount } = mount(
    url,
    () => useRealtimeDocument(id),
    '{{ loading }} {{ synced }} {{ pendingUpdates }} {{ readOnly }} {{ error }}',
  )
  expect(element.textContent).toBe('true false 0 false ')
  await eventually(() => expect(element.textContent).toBe('false true 0 false '))
  result.text.value.insert(0, 'Hello')
  expect([result.synced.value, result.pendingUpdates.value]).toEqual([false, 1])
  await eventually(() => expect(first.text.toJSON()).toBe('Hello'))
  await eventually(() => expect([result.synced.value, result.stored.value, result.failing.value]).toEqual([true, true, false]))
  expect([result.canUndo.value, result.undo(), result.canRedo.value]).toEqual([true, true, true])
  await eventually(() => expect(first.text.toJSON()).toBe(''))
  expect([result.redo(), result.canRedo.value]).toEqual([true, false])
  const firstDoc = result.doc.value
  id.value = 'notes:2'
  expect([result.doc.value === firstDoc, result.loading.value]).toEqual([false, true])
  second.text.insert(0, 'Other')
  await eventually(() => expect(result.text.value.toJSON()).toBe('Other'))
  await eventually(() => expect(of('document:close')).toEqual([{ document: 'notes:1' }]))
  unmount()
  expect(result.doc.value.isDestroyed).toBe(true)
})

test('[D13] a component has the reason why its document is not stored in the browser', async () => {
  const { url } = await serve({ documents: createDocuments({ store: memoryDocuments(), storeIntervalMs: 20 }) })
  const persist = createDocumentStorage({ user: 'ada' })
  const { result } = mount(url, () => useRealtimeDocument('notes:1', { persist }))
  await eventually(() => expect(result.persistError.value).toMatchObject({ code: 'UNSUPPORTED' }))
  await eventually(() => expect([result.synced.value, result.error.value]).toEqual([true, undefined]))
})

test('[D1] on a server a document is loading, and nothing is connected', async () => {
  const setup = () => useRealtimeDocument('notes:1')
  const app = createSSRApp({ setup, template: '{{ loading }} {{ synced }} {{ pendingUpdates }}' })
  expect(await renderToString(app.use(createRealtime({ read: async () => [] })))).toBe('true false 0')
})

test('[X9] an invalid id is refused at once', async () => {
  const { url } = await serve()
  mount(url, () => {
    expect(() => useRealtimeDocument('a*')).toThrow(expect.objectContaining({ code: 'INVALID_DOCUMENT' }))
    return {}
  })
})
