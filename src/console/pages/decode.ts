import { html } from '@remix-run/html-template'
import { CONSOLE_PATH } from '../layout.ts'
import type { ConsolePage } from '../page.ts'

/** Returns the page that reads tokens in the browser. Nothing that is pasted there is ever sent: there is neither a form nor a name. */
export function decodePage(): ConsolePage {
  return {
    path: '/decode',
    title: 'Decode',
    description:
      'What a token says, and what is wrong with it. The browser reads it: nothing of it is sent anywhere.',
    scripts: ['decode'],
    render: () => html`<div class="card fields">
<div class="field wide">
<label for="token">Token, or a line with one in it</label>
<textarea id="token" rows="6" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="token-note"></textarea>
<p id="token-note" class="note">What is pasted is read at once and does not stay in this field.</p>
</div>
<div class="actions"><button id="decode-button" type="button" disabled>Decode</button> <button id="clear-button" type="button" disabled>Clear</button></div>
<noscript><p class="problem">This page needs its script, which reads the token here, in the browser. <code>jeton decode</code> does the same in a terminal.</p></noscript>
</div>
<section id="decoded" class="card" aria-label="What the token says" tabindex="-1" data-records="${CONSOLE_PATH}/records?fingerprint="></section>`,
  }
}
