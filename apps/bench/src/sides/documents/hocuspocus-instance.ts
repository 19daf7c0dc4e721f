import { Database } from '@hocuspocus/extension-database'
import { Redis } from '@hocuspocus/extension-redis'
import { Server } from '@hocuspocus/server'
import postgres from 'postgres'
import { serveSide } from '../serve-side.ts'

// One instance of Hocuspocus with its Redis extension and its default times. It reports what it has stored to the clients of a document.

await serveSide(async () => {
  const sql = postgres(process.env['DATABASE_URL'] ?? '', { onnotice: () => {} })
  await sql`create table if not exists hocuspocus (name text primary key, state bytea not null)`.catch(() => {})
  const { hostname, port } = new URL(process.env['REDIS_URL'] ?? '')
  const server = new Server({
    quiet: true,
    stopOnSignals: false,
    extensions: [
      new Redis({ host: hostname, port: Number(port) }),
      new Database({
        fetch: async ({ documentName }) => {
          const [row] = await sql<{ state: Uint8Array }[]>`select state from hocuspocus where name = ${documentName}`
          return row?.state ?? null
        },
        store: async ({ documentName, state, document }) => {
          const { length } = document.getText('text')
          await sql`
            insert into hocuspocus (name, state) values (${documentName}, ${state})
            on conflict (name) do update set state = excluded.state`
          document.broadcastStateless(String(length))
        },
      }),
    ],
  })
  return { httpServer: server.httpServer, stop: () => server.destroy() }
})
