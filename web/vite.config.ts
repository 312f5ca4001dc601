import { defineConfig } from "vite";

// Three files with names that never change: the server sends these and nothing else.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../src/headway/serve/page",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      output: { entryFileNames: "page.js", chunkFileNames: "page.js", assetFileNames: "page[extname]" },
    },
  },
});
