#!/usr/bin/env node
import { AS_COMMAND, runAction } from '../src/action/action.ts'
import { createCallerContext } from './caller-context.ts'

// the entry of action/index.mjs: main and post of the GitHub Action, and the command `jeton` for later steps
if (process.argv[2] === AS_COMMAND) {
  process.argv.splice(2, 1)
  import('./client.ts')
} else {
  const program = { node: process.execPath, file: process.argv[1] ?? '' }
  runAction({ ...createCallerContext(), program }).then(exitCode => {
    process.exitCode = exitCode
  })
}
