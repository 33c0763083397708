#!/usr/bin/env node
import { CALLER_COMMANDS } from './command-names.ts'

// the entry of dist/cli.mjs, where client.ts is the one file beside it: a caller's command starts fast, without the server's
const isCallers = CALLER_COMMANDS.includes(process.argv[2] ?? '')
await (isCallers ? import('./client.ts') : import('./whole-program.ts'))
