import { attachRealtime } from '@tutti/server/nitro'
import { definePlugin } from 'nitro'
import { hasDocuments } from '../demo-documents.ts'
import { realtimeOptions } from '../realtime-options.ts'
import { provideSecret } from '../session-token.ts'

// Nitro would listen on every interface of the machine. Plugins run before it reads the variable.
process.env['HOST'] ||= '127.0.0.1'

export default definePlugin((nitroApp) => {
  if (process.env['REDIS_URL'] && !process.env['SESSION_SECRET']) {
    console.warn('SESSION_SECRET is not set: sessions of this instance are not valid on other instances, nor after a restart.')
  }
  if (!hasDocuments()) console.warn('DATABASE_URL is not set: with REDIS_URL, documents need a PostgreSQL that all instances share.')
  provideSecret()
  attachRealtime(nitroApp, realtimeOptions)
})
