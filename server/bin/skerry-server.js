#!/usr/bin/env node
// The command's file is in the repository, because npm links commands before anything is built.
import '../dist/main.js';
