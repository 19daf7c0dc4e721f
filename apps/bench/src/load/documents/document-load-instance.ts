import { serveInstance } from '@tutti/test-kit/instance'
import type { DocumentServer } from '../../sides/documents/document-side.ts'
import { createJoinersLoad } from './joiners-load.ts'
import { createKeystrokesLoad } from './keystrokes-load.ts'
import { createResumeLoad } from './resume-load.ts'
import { createSlowLinkLoad } from './slow-link-load.ts'
import { createTypingLoad } from './typing-load.ts'
import type { DocumentLoad, DocumentLoadContext } from './document-load.ts'

// All clients of documents, in a process of their own.

const LOADS: Record<string, (context: DocumentLoadContext, plan: never) => DocumentLoad | Promise<DocumentLoad>> = {
  joiners: createJoinersLoad,
  keystrokes: createKeystrokesLoad,
  resume: createResumeLoad,
  slowLink: createSlowLinkLoad,
  typing: createTypingLoad,
}

let load: DocumentLoad | undefined

serveInstance(
  {},
  {
    open: async (name: string, server: DocumentServer, urls: string[], plan: never) => {
      const create = LOADS[name]
      if (create === undefined) throw new Error(`There is no load ${name}.`)
      load = await create({ server, urls }, plan)
    },
    step: (name: string, ...args: never[]) => {
      const step = load?.steps[name]
      if (step === undefined) throw new Error(`The load has no step ${name}.`)
      return step(...args)
    },
    close: () => load?.close(),
  },
)
process.once('SIGTERM', () => process.exit(0))
