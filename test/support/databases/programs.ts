export { findProgram, lookForProgram } from '../../../src/dev/postgres/programs.ts'
