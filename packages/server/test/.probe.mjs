import { io } from 'socket.io-client'
const url = process.argv[2]
const tryOne = (name, opts, after) => new Promise((done) => {
  const s = io(url, { reconnection: false, forceNew: true, ...opts })
  const t = setTimeout(() => { console.log(name, 'TIMEOUT'); s.disconnect(); done() }, 8000)
  s.on('connect', async () => {
    const r = [s.io.engine.transport.name]
    if (after) r.push(await after(s))
    console.log(name, 'connected', ...r); clearTimeout(t); s.disconnect(); done()
  })
  s.on('connect_error', (e) => { console.log(name, 'refused', e.message, String(e.description?.message ?? e.description ?? '').slice(0,80), e.context?.status ?? ''); clearTimeout(t); s.disconnect(); done() })
})
const upgraded = (s) => new Promise((r) => s.io.engine.transport.name === 'websocket' ? r('already') : s.io.engine.once('upgrade', (t) => r('upgraded ' + t.name)))
const set = (size) => (s) => new Promise((r) => { s.once('disconnect', (why) => r('disconnected: ' + why)); s.emit('storage:set', { key: 'count', value: 'x'.repeat(size) }, (a) => r(JSON.stringify(a))) })
await tryOne('polling', { transports: ['polling'] }, set(10))
await tryOne('ws', { transports: ['websocket'] }, set(10))
await tryOne('upgrade', {}, upgraded)
await tryOne('denied polling', { transports: ['polling'], extraHeaders: { 'x-denied': '1' } })
await tryOne('denied ws', { transports: ['websocket'], extraHeaders: { 'x-denied': '1' } })
await tryOne('large polling', { transports: ['polling'] }, set(50000))
await tryOne('large ws', { transports: ['websocket'] }, set(50000))
console.log(await (await fetch(url + '/count')).text())
process.exit()
