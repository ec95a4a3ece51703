import * as core from "@cornerstonejs/core";
import * as loader from "@cornerstonejs/dicom-image-loader";
await core.init();
await loader.init();
const tools = await import("@cornerstonejs/tools");
console.log(core, loader, tools.init);
