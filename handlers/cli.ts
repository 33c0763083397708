#!/usr/bin/env node

/** The commands of caller-commands.ts. */
const CALLER_COMMANDS = ['token', 'exec', 'proxy', 'agent', 'whoami', 'doctor', 'decode']

// the entry of dist/cli.mjs, where client.ts is the one file beside it: a caller's command starts fast, without the server's
const isCallers = CALLER_COMMANDS.includes(process.argv[2] ?? '')
await (isCallers ? import('./client.ts') : import('./whole-program.ts'))
