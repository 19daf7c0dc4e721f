import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import { Doc } from 'yjs'
import { until, type BenchDocument } from './bench-document.ts'

/** A document of Hocuspocus with its provider, for what only one side has. */
export interface HocuspocusDocument extends BenchDocument {
  readonly provider: HocuspocusProvider
}

/** Opens a document with Hocuspocus' provider, on a connection of its own. */
export async function connectHocuspocusDocument(url: string, id: string): Promise<HocuspocusDocument> {
  const doc = new Doc()
  const websocketProvider = new HocuspocusProviderWebsocket({ url: url.replace('http', 'ws'), delay: 50, minDelay: 50 })
  const provider = new HocuspocusProvider({ websocketProvider, name: id, document: doc })
  provider.attach()
  await until(() => provider.isSynced)
  return {
    provider,
    doc,
    text: doc.getText('text'),
    isSynced: () => provider.isSynced && !provider.hasUnsyncedChanges,
    disconnect: () => websocketProvider.disconnect(),
    connect: () => void websocketProvider.connect(),
    close: () => {
      provider.destroy()
      websocketProvider.destroy()
    },
  }
}
