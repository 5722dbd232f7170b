UPDATE attempts SET node = 'other-machine', taken = 7 WHERE dispatch = '001-over-aaaa';
