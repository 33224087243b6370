// The storm of support/storms.ts in Chromium.
import { chromium } from './support/chromium.ts';
import { storms } from './support/storms.ts';

storms(chromium);
