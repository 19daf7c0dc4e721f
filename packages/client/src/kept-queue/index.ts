export { keptQueue, type KeptQueueOptions } from './kept-queue.ts'
