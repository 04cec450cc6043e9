// One ES module for the page of `animator serve`; nothing in it needs more than its content security policy allows.

import { defineConfig } from "vite";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "../animator/server/page",
    emptyOutDir: false,
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      input: "numbers.js",
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "numbers.js" },
    },
  },
});
