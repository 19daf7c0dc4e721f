// An instance that never gets ready.
setInterval(() => {}, 60_000)
process.send?.('starting')
