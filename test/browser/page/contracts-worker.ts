// Runs contract cases inside of a dedicated Worker.
import { type Addresses, runContract } from './contracts.ts';

addEventListener('message', async (event: MessageEvent<{ addresses: Addresses; name: string }>) => {
  postMessage(await runContract(event.data.addresses, event.data.name));
});
