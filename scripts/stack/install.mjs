// Installs what npm has for the stack, so that the emulators are there for other tests, too.
import { installAll } from './stack.mjs'

await installAll()
