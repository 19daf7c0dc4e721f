import { createServer } from 'node:http'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import memoryDriver from 'unstorage/drivers/memory'

const httpServer = createServer()
attachRealtime(httpServer, { state: reactiveDriver(memoryDriver()) })
httpServer.listen(41253, '127.0.0.1')
