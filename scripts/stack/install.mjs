// Installs the stack's npm packages, so that other tests can use the emulators, too.
import { installAll } from './stack.mjs'

await installAll()
