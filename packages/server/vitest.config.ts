import { vitestProject } from '../../vitest.base.ts'
import { COUNTING_TIMERS } from './test/counting-timers.ts'

const project = vitestProject('server')

export default { ...project, test: { ...project.test, exclude: COUNTING_TIMERS } }
