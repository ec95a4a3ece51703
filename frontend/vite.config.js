// Two entries, one build: the viewer and the small scripts of the pages.
// Output goes to static/build/, which is made by `make setup` and never committed.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

import { lean, STAND_INS } from "./viewer/lean.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  // Relative, so that the site may serve its static files under any prefix.
  base: "./",
  publicDir: false,
  resolve: {
    alias: [
      // vtk.js reaches for an XML builder at import time that browsers do not get; without this
      // the build is green and the page dies with "Class extends value undefined".
      { find: "xmlbuilder2", replacement: here("viewer/xmlbuilder2.js") },
      ...STAND_INS,
    ],
  },
  plugins: [lean()],
  worker: { format: "es" },
  build: {
    outDir: here("../static/build"),
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: in scripts, fonts or connections.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    rollupOptions: {
      input: {
        "viewer/main": here("viewer/main.js"),
        "shell/main": here("shell/main.js"),
        "shell/upload": here("shell/upload.js"),
        "shell/phone": here("shell/phone.js"),
      },
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
