#!/usr/bin/env node
import { createCallerContext } from './caller-context.ts'
import { endOnSignals, endProcess } from './process-end.ts'
import { printWarnings } from './process-output.ts'
import { parseTokenCall } from './token-call.ts'

// the entry of the one file; no `await` at its top, for the file is CommonJS unless its name ends in .mjs
printWarnings()
const tokenCall = parseTokenCall(process.argv)
if (tokenCall) {
  endOnSignals()
  import('../src/cli/token.ts').then(async ({ tokenCommand }) => {
    endProcess(await tokenCommand(tokenCall, createCallerContext()))
  })
} else import('./client-program.ts').then(({ runClientProgram }) => runClientProgram(process.argv))
