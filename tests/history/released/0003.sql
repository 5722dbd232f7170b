UPDATE attempts SET fence_gaps = 'signals';
