K1/TsDoVmfbzLtDBC+AmWvbFR+DhbbRG+AGwSoGnZ5Hq0jiGzdqv810rAyRxET/u/IWMQcxo+zuE2XlLE/wHBg==
