#!/usr/bin/env node
import { AS_COMMAND, AS_POST, runAction, runPost } from '../src/action/action.ts'
import { createCallerContext } from './caller-context.ts'

// the entry of action/index.mjs: main and post of the GitHub Action, and the command `jeton` for later steps
const word = process.argv[2]
if (word === AS_COMMAND) {
  process.argv.splice(2, 1)
  import('./client.ts')
} else {
  const program = { node: process.execPath, file: process.argv[1] ?? '' }
  const context = createCallerContext()
  const running = word === AS_POST ? runPost(context) : runAction({ ...context, program })
  running.then(exitCode => {
    process.exitCode = exitCode
  })
}
