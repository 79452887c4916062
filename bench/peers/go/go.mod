module claimgate/bench/peer

go 1.21
