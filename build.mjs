// builds dist/, which docs/development.md describes; build/ has a file for each product
import { rm } from 'node:fs/promises'
import { buildClient } from './build/client.mjs'
import { buildCommandLine } from './build/command-line.mjs'
import { buildConsole } from './build/console.mjs'
import { buildLambda } from './build/lambda.mjs'

await rm('dist', { recursive: true, force: true })
await Promise.all([buildCommandLine(), buildLambda(), buildClient(), buildConsole()])
