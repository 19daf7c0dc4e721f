import { vitestProject } from '../../vitest.base.ts'

export default vitestProject('faults', { isolate: true })
