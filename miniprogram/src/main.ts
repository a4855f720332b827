import * as Pinia from "pinia";
import { createSSRApp } from "vue";

import App from "./App.vue";
import { isAstray } from "./landing";

export function createApp() {
  // #ifdef H5
  const { hash, search } = window.location;
  if (isAstray(hash)) window.history.replaceState(null, "", `/${search}#/`); // before the router reads it: the first screen
  // #endif
  const app = createSSRApp(App);
  app.use(Pinia.createPinia());
  return { app, Pinia };
}
