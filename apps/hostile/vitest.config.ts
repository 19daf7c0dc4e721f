import { vitestProject } from '../../vitest.base.ts'

export default vitestProject('hostile', { isolate: true })
