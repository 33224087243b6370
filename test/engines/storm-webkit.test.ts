// The storm of support/storms.ts in WebKit.

import { storms } from './support/storms.ts';
import { webkit } from './support/webkit.ts';

storms(webkit);
