// A hospital's sign-in for the tests: npm oidc-provider, people and clients from the command line.
//   node provider.mjs PORT '{"clients": [...], "people": {"sub": {...claims}}}'
// Who sits at the browser says its X-Person header; a password and an app were used.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const from = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { default: Provider } = await import(pathToFileURL(from.resolve("oidc-provider")).href);
const [port, said] = [Number(process.argv[2]), JSON.parse(process.argv[3])];

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: said.clients,
  claims: { openid: ["sub", "amr"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) =>
    said.people[id] && { accountId: id, claims: () => ({ sub: id, ...said.people[id] }) },
  cookies: { keys: ["only for tests"] },
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  ctx.respond = false;
  if (prompt.name === "login") {
    const login = { accountId: ctx.get("x-person"), amr: ["pwd", "otp"] };
    return provider.interactionFinished(ctx.req, ctx.res, { login });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(ctx.req, ctx.res, { consent }, { mergeWithLastSubmission: true });
});
provider.listen(port, "127.0.0.1", () => console.log("listening"));
